//! Passwords: argon2id, with the parameters that OWASP recommends (19 MiB, two passes, one lane).

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use orch_shared::problem::{Code, Problem};
use zeroize::Zeroizing;

/// The shortest password, in characters (NIST SP 800-63B).
const SHORTEST: usize = 12;
/// The longest password, in bytes.
const LONGEST: usize = 1024;

fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a password that somebody chose, in the PHC string format. Takes some tens of milliseconds.
///
/// # Errors
/// When the password is too short or too long.
pub fn hash(password: &Zeroizing<String>) -> Result<String, Problem> {
    let refuse = |detail: String| Err(Problem::new(Code::BadRequest, detail));
    if password.chars().count() < SHORTEST {
        return refuse(format!("a password has at least {SHORTEST} characters"));
    }
    if password.len() > LONGEST {
        return refuse(format!("a password has at most {LONGEST} bytes"));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the operating system gives random bytes");
    let hashed = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    match hashed {
        Ok(hashed) => Ok(hashed.to_string()),
        Err(error) => Err(Problem::new(
            Code::Internal,
            format!("the password cannot be hashed: {error}"),
        )),
    }
}

/// Whether that is the password. Takes as long when there is none to compare with.
pub(super) fn verify(given: &Zeroizing<String>, hash: Option<&str>) -> bool {
    if given.len() > LONGEST {
        return false;
    }
    match hash {
        Some(hash) => hasher().verify_password(given.as_bytes(), hash).is_ok(),
        None => {
            // Who asks must not learn from the time it takes that there is nobody of that name.
            let _same_work = hasher().hash_password_with_salt(given.as_bytes(), &[0; 16]);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_open_their_own_hash_alone() {
        let secret = |text: &str| Zeroizing::new(text.to_owned());
        let hash = hash(&secret("correct horse battery")).expect("long enough");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&secret("correct horse battery"), Some(&hash)));
        assert!(!verify(&secret("correct horse batterz"), Some(&hash)));
        assert!(!verify(&secret("correct horse battery"), None));
        assert!(!verify(&secret("x"), Some("no hash")));
        let short = super::hash(&secret("short")).expect_err("too short");
        assert_eq!(short.detail, "a password has at least 12 characters");
    }
}
