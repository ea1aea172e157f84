//! The published vectors of Project Wycheproof, negative ones included, against the AEAD and the key derivation that
//! the protocol uses.

use bemr::crypto::{AeadKey, MAX_EXPANDED, expand_info, extract};
use bemr_spec::constants;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite<G> {
    algorithm: String,
    number_of_tests: usize,
    test_groups: Vec<G>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AeadGroup {
    iv_size: usize,
    key_size: usize,
    tag_size: usize,
    tests: Vec<AeadTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AeadTest {
    tc_id: u32,
    key: Hex,
    iv: Hex,
    aad: Hex,
    msg: Hex,
    ct: Hex,
    tag: Hex,
    result: Outcome,
}

#[derive(Deserialize)]
struct KdfGroup {
    tests: Vec<KdfTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KdfTest {
    tc_id: u32,
    ikm: Hex,
    salt: Hex,
    info: Hex,
    size: usize,
    okm: Hex,
    result: Outcome,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Valid,
    Invalid,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.len().is_multiple_of(2) || !text.is_ascii() {
            return Err(format!("not hexadecimal: {text}"));
        }
        let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).map_err(|error| error.to_string());
        (0..text.len()).step_by(2).map(byte).collect::<Result<_, _>>().map(Hex)
    }
}

#[test]
fn aes_256_gcm_does_what_the_vectors_say() {
    let suite: Suite<AeadGroup> =
        serde_json::from_str(include_str!("../vectors/wycheproof/aes_gcm_test.json"))
            .expect("the file is JSON");
    assert_eq!(suite.algorithm, "AES-GCM");
    let (mut valid, mut invalid, mut skipped) = (0, 0, 0);
    for group in suite.test_groups {
        // The wrapper's types hold no other key and no other nonce: those calls cannot be written.
        if (group.key_size, group.iv_size, group.tag_size) != (256, 96, 8 * constants::AEAD_TAG_BYTES) {
            skipped += group.tests.len();
            continue;
        }
        for test in group.tests {
            let key = AeadKey::from_bytes(test.key.0.try_into().expect("256 bits"));
            let nonce: [u8; 12] = test.iv.0.try_into().expect("96 bits");
            let sealed = [test.ct.0, test.tag.0].concat();
            let opened = key.open(&nonce, &test.aad.0, &sealed);
            match test.result {
                Outcome::Valid => {
                    assert_eq!(opened.as_ref(), Some(&test.msg.0), "{}", test.tc_id);
                    assert_eq!(key.seal(&nonce, &test.aad.0, &test.msg.0), sealed, "{}", test.tc_id);
                    valid += 1;
                }
                Outcome::Invalid => {
                    assert_eq!(opened, None, "{}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    println!("AES-GCM: {valid} valid, {invalid} invalid, {skipped} of other sizes of key or nonce skipped");
    assert_eq!(valid + invalid + skipped, suite.number_of_tests);
    assert!(valid >= 39 && invalid >= 27, "{valid} {invalid}");
}

#[test]
fn hkdf_sha_256_does_what_the_vectors_say() {
    let suite: Suite<KdfGroup> =
        serde_json::from_str(include_str!("../vectors/wycheproof/hkdf_sha256_test.json"))
            .expect("the file is JSON");
    assert_eq!(suite.algorithm, "HKDF-SHA-256");
    let (mut valid, mut invalid) = (0, 0);
    for test in suite.test_groups.into_iter().flat_map(|group| group.tests) {
        let mut out = vec![0; test.size];
        let expanded = expand_info(&extract(&test.salt.0, &test.ikm.0), &[&test.info.0], &mut out);
        match test.result {
            Outcome::Valid => {
                assert_eq!(expanded, Ok(()), "{}", test.tc_id);
                assert_eq!(out, test.okm.0, "{}", test.tc_id);
                valid += 1;
            }
            Outcome::Invalid => {
                assert!(expanded.is_err() && test.size > MAX_EXPANDED, "{}", test.tc_id);
                invalid += 1;
            }
        }
    }
    println!("HKDF-SHA-256: {valid} valid, {invalid} invalid, none skipped");
    assert_eq!(valid + invalid, suite.number_of_tests);
    assert!(valid >= 83 && invalid >= 3, "{valid} {invalid}");
}
