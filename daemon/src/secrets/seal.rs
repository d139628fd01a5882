//! Sealing and opening one value: AES-256-GCM with a random nonce of 96 bits.
//!
//! Kind, scope, name and key of the value are the associated data, so a sealed value opens only in its own place. The uid
//! is not part of it: a Secret can be deleted, kept in git and made again.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use orch_shared::kinds::secret::Form;
use orch_shared::name::ObjectRef;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::Keyring;
use super::keyring::Key;

const NONCE: usize = 12;

/// Where a value belongs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// The object that holds it.
    pub object: &'p ObjectRef,
    /// The key within that object.
    pub key: &'p str,
}

impl Place<'_> {
    fn associated_data(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.object.kind, self.object.scope, self.object.name, self.key
        )
    }
}

/// A value in the open. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(Zeroizing<String>);

impl Plaintext {
    /// Takes over a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Whoever calls this must not store or show it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext(***)")
    }
}

/// Why a value cannot be opened. No variant carries any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed with a key that is not here.
    #[error("it was sealed with the key `{0}`, which this daemon does not have")]
    UnknownKey(String),
    /// It was sealed for another place, or was changed.
    #[error("it was sealed for another secret or key, or has been changed")]
    WrongPlace,
    /// It is not a sealed value, though it begins like one.
    #[error("it begins like a sealed value, but is not one")]
    Malformed,
    /// It lives in a backend.
    #[error("it lives in the backend `{0}`, and is not sealed here")]
    External(String),
}

impl Keyring {
    /// Tells whether a value is still the same, and tells nothing else: equal for equal plaintexts in one place, however
    /// and with whichever key they were sealed. It is made with the oldest key, which a rotation keeps.
    #[must_use]
    pub fn fingerprint(&self, place: Place<'_>, value: &str) -> String {
        let Ok(plaintext) = self.open_value(place, value) else {
            return "unreadable".to_owned();
        };
        // Keyed, so that nobody can try out values; the key goes first and has a fixed length, and only a part leaves.
        let mut hash = Sha256::new();
        hash.update(self.oldest().bytes.as_ref());
        hash.update(place.associated_data());
        hash.update([0]);
        hash.update(plaintext.reveal());
        hex::encode(&hash.finalize()[..16])
    }

    /// A mark of a text that nobody can make without the key, for one purpose; with the oldest key, so that it
    /// stays the same when another one is taken.
    #[must_use]
    pub fn mark(&self, purpose: &str, text: &str) -> String {
        // No place begins with a zero, so that a mark is no fingerprint.
        let mut hash = Sha256::new();
        hash.update(self.oldest().bytes.as_ref());
        hash.update([0]);
        hash.update(purpose);
        hash.update([0]);
        hash.update(text);
        hex::encode(&hash.finalize()[..16])
    }

    /// Seals a value for its place.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, plaintext: &str) -> String {
        let key = self.active();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let associated = place.associated_data();
        let payload = Payload {
            msg: plaintext.as_bytes(),
            aad: associated.as_bytes(),
        };
        let ciphertext = cipher(&key)
            .encrypt(&Nonce::from(nonce), payload)
            .expect("the value is far below the cipher's limit");
        let packed: Vec<u8> = nonce.into_iter().chain(ciphertext).collect();
        Form::sealed_text(&key.id, &BASE64.encode(packed))
    }

    /// Opens a value in its place, whatever its form.
    ///
    /// # Errors
    /// When it does not belong there, or its key or backend is missing.
    pub fn open_value(&self, place: Place<'_>, value: &str) -> Result<Plaintext, OpenError> {
        let (key_id, payload) = match Form::of(value) {
            Form::Plain(text) => return Ok(Plaintext::new(text.to_owned())),
            Form::Sealed { key_id, payload } => (key_id, payload),
            Form::External { backend, .. } => return Err(OpenError::External(backend.to_owned())),
            Form::Malformed => return Err(OpenError::Malformed),
        };
        let packed = BASE64.decode(payload).map_err(|_| OpenError::Malformed)?;
        let (nonce, ciphertext) = packed.split_first_chunk::<NONCE>().ok_or(OpenError::Malformed)?;
        let key = self
            .find(key_id)
            .ok_or_else(|| OpenError::UnknownKey(key_id.to_owned()))?;
        let associated = place.associated_data();
        let sealed = Payload {
            msg: ciphertext,
            aad: associated.as_bytes(),
        };
        let bytes = cipher(&key)
            .decrypt(&Nonce::from(*nonce), sealed)
            .map_err(|_| OpenError::WrongPlace)?;
        String::from_utf8(bytes).map(Plaintext::new).map_err(|error| {
            error.into_bytes().zeroize();
            OpenError::Malformed
        })
    }

    /// The id of the key that a value was sealed with; nothing for one in another form.
    #[must_use]
    pub fn key_of(value: &str) -> Option<&str> {
        match Form::of(value) {
            Form::Sealed { key_id, .. } => Some(key_id),
            Form::Plain(_) | Form::External { .. } | Form::Malformed => None,
        }
    }

    /// Why a value could not be opened, as far as can be told without trying.
    ///
    /// # Errors
    /// When its key is missing, or its form is none.
    pub fn can_open(&self, value: &str) -> Result<(), OpenError> {
        match Form::of(value) {
            Form::Sealed { key_id, .. } if self.has(key_id) => Ok(()),
            Form::Sealed { key_id, .. } => Err(OpenError::UnknownKey(key_id.to_owned())),
            Form::Malformed => Err(OpenError::Malformed),
            // What lives in a backend is asked for when it is used.
            Form::Plain(_) | Form::External { .. } => Ok(()),
        }
    }

    /// Whether a value is sealed with the key that seals now.
    #[must_use]
    pub fn is_current(&self, value: &str) -> bool {
        match Form::of(value) {
            Form::Sealed { key_id, .. } => key_id == self.active_id(),
            Form::External { .. } => true,
            Form::Plain(_) | Form::Malformed => false,
        }
    }
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::kind::Kind;

    fn keyring() -> (tempfile::TempDir, Keyring) {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(&dir.path().join("keys.json")).unwrap();
        (dir, keyring)
    }

    fn secret(name: &str) -> ObjectRef {
        ObjectRef::cluster(Kind::Secret, name.parse().unwrap())
    }

    #[test]
    fn opens_in_its_own_place_only() {
        let (_dir, keyring) = keyring();
        let (gitea, other) = (secret("gitea"), secret("other"));
        let sealed = keyring.seal(
            Place {
                object: &gitea,
                key: "token",
            },
            "hunter2",
        );
        assert!(sealed.starts_with("sealed:v1:") && !sealed.contains("hunter2"));
        let open = |object, key| keyring.open_value(Place { object, key }, &sealed);
        assert_eq!(open(&gitea, "token").unwrap().reveal(), "hunter2");
        assert_eq!(open(&gitea, "other"), Err(OpenError::WrongPlace));
        assert_eq!(open(&other, "token"), Err(OpenError::WrongPlace));
    }

    #[test]
    fn opens_after_rotation_and_refuses_rubbish() {
        let (_dir, keyring) = keyring();
        let gitea = secret("gitea");
        let place = Place {
            object: &gitea,
            key: "token",
        };
        let old = keyring.seal(place, "v");
        assert!(keyring.is_current(&old));
        keyring.rotate().unwrap();
        assert!(!keyring.is_current(&old));
        assert_eq!(keyring.open_value(place, &old).unwrap().reveal(), "v");
        for (value, error) in [
            (
                "sealed:v1:ffffffff:AAAAAAAAAAAAAAAAAAAAAAAA",
                OpenError::UnknownKey("ffffffff".into()),
            ),
            ("sealed:v1:x:!!!", OpenError::Malformed),
            ("sealed:v1:", OpenError::Malformed),
            ("external:v1:bao:1", OpenError::External("bao".into())),
        ] {
            assert_eq!(keyring.open_value(place, value), Err(error), "{value}");
        }
        assert_eq!(
            keyring.open_value(place, "plain:v1:sealed:v1:x").unwrap().reveal(),
            "sealed:v1:x"
        );
    }

    #[test]
    fn plaintext_is_never_printed() {
        assert_eq!(format!("{:?}", Plaintext::new("hunter2".into())), "Plaintext(***)");
    }
}
