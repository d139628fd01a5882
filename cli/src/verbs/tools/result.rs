//! The result of a call, drawn for a person: text as it is, what is no text by its size, or saved.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::Value;

use crate::report::Failure;

/// A piece of a result that is no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    kind: String,
    bytes: Vec<u8>,
}

/// A piece of a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text.
    Text(String),
    /// A picture, a sound, a file.
    Blob(Blob),
}

/// The pieces of a result, in order.
pub(crate) fn pieces(result: &Value) -> Vec<Piece> {
    let content = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut pieces: Vec<Piece> = content.iter().map(piece).collect();
    let has_text = pieces.iter().any(|piece| matches!(piece, Piece::Text(_)));
    if let Some(structured) = result
        .get("structuredContent")
        .filter(|value| !value.is_null() && !has_text)
    {
        let text = serde_json::to_string_pretty(structured).expect("plain data");
        pieces.push(Piece::Text(text));
    }
    pieces
}

fn piece(block: &Value) -> Piece {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    let resource = &block["resource"];
    match text("type") {
        "text" => Piece::Text(text("text").to_owned()),
        "image" | "audio" => blob(text("mimeType"), text("data")),
        "resource_link" => {
            let name = block["name"]
                .as_str()
                .map(|name| format!(" ({name})"))
                .unwrap_or_default();
            Piece::Text(format!("link: {}{name}", text("uri")))
        }
        "resource" => match (resource["text"].as_str(), resource["blob"].as_str()) {
            (Some(text), _) => Piece::Text(format!("{}:\n{text}", resource["uri"].as_str().unwrap_or_default())),
            (None, Some(data)) => blob(resource["mimeType"].as_str().unwrap_or_default(), data),
            (None, None) => Piece::Text(block.to_string()),
        },
        _ => Piece::Text(block.to_string()),
    }
}

fn blob(kind: &str, data: &str) -> Piece {
    match base64::engine::general_purpose::STANDARD.decode(data) {
        Ok(bytes) => Piece::Blob(Blob {
            kind: if kind.is_empty() { "data" } else { kind }.to_owned(),
            bytes,
        }),
        Err(_) => Piece::Text(format!("({kind} that is not base64)")),
    }
}

impl Blob {
    /// What it is and how large.
    pub(crate) fn described(&self) -> String {
        let size = self.bytes.len();
        match size {
            0..1024 => format!("({}, {size} B)", self.kind),
            1024..1_048_576 => format!("({}, {} KiB)", self.kind, size / 1024),
            _ => format!("({}, {} MiB)", self.kind, size >> 20),
        }
    }

    /// Saves it in a folder under a name that is not taken, and says which.
    pub(crate) fn save(&self, folder: &Path, tool: &str) -> Result<PathBuf, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "-_".contains(c) {
                c
            } else {
                '-'
            }
        };
        let tool: String = tool.chars().map(plain).collect();
        let mut number = 1;
        loop {
            let path = folder.join(format!("{tool}-{number}.{}", self.extension()));
            let created = std::fs::File::options().write(true).create_new(true).open(&path);
            match created.and_then(|mut file| std::io::Write::write_all(&mut file, &self.bytes)) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Failure::file("write", &path, &error)),
            }
        }
    }

    fn extension(&self) -> &str {
        match self.kind.as_str() {
            "image/jpeg" => "jpg",
            "image/svg+xml" => "svg",
            "audio/mpeg" => "mp3",
            "audio/wav" | "audio/x-wav" => "wav",
            "text/plain" => "txt",
            kind => match kind.split_once('/') {
                Some((_, plain)) if plain.len() <= 5 && plain.chars().all(|c| c.is_ascii_alphanumeric()) => plain,
                Some(_) | None => "bin",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_are_drawn_piece_by_piece() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let result = json!({"content": [
            {"type": "text", "text": "a\nb"},
            {"type": "resource_link", "uri": "file:///a", "name": "a"},
            {"type": "resource", "resource": {"uri": "x:y", "text": "inside"}},
            {"type": "image", "mimeType": "image/png", "data": "not base64!"},
            {"type": "new", "x": 1},
        ], "structuredContent": {"hidden": true}});
        assert_eq!(
            pieces(&result),
            [
                text("a\nb"),
                text("link: file:///a (a)"),
                text("x:y:\ninside"),
                text("(image/png that is not base64)"),
                text("{\"type\":\"new\",\"x\":1}"),
            ]
        );
        let structured = json!({"content": [], "structuredContent": {"a": 1}});
        assert_eq!(pieces(&structured), [text("{\n  \"a\": 1\n}")]);
    }

    #[test]
    fn what_is_no_text_is_saved_under_a_free_name() {
        let folder = tempfile::tempdir().unwrap();
        let blob = Blob {
            kind: "image/png".to_owned(),
            bytes: vec![0; 2048],
        };
        assert_eq!(blob.described(), "(image/png, 2 KiB)");
        let names: Vec<String> = (0..2)
            .map(|_| blob.save(folder.path(), "art/draw").unwrap())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["art-draw-1.png", "art-draw-2.png"]);
    }
}
