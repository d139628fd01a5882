//! SHA-256 of a text, as it is written down everywhere: 64 digits of lower-case hex.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of bytes, in lower-case hex.
///
/// Digits are made in place: `hex::encode` takes as long for them as the hash itself does where the processor has
/// instructions for that.
#[must_use]
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    let mut digits = vec![0; 64];
    hex::encode_to_slice(Sha256::digest(bytes), &mut digits).expect("two digits for each of 32 bytes");
    String::from_utf8(digits).expect("digits of hex")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are of FIPS 180-2, appendix B.
    #[test]
    fn texts_have_their_hashes() {
        for (text, expected) in [
            (
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ] {
            assert_eq!(sha256(text), expected, "{text}");
        }
    }
}
