//! Frames of the protocol: two big-endian 32-bit lengths, a JSON head, a body of bytes.
//!
//! The other side is `worker/grove_worker/frames.py`.

use std::io::{self, Read, Write};

use serde::Serialize;
use zeroize::Zeroizing;

/// Largest head and body that are accepted, in bytes.
const MAX_HEAD: usize = 16 << 20;
const MAX_BODY: usize = 80 << 20;

/// Bytes before a frame's head.
const PREFIX: usize = 8;

/// One frame. Its bytes are wiped when it goes, as some hold secrets.
#[derive(Debug)]
pub(crate) struct Frame {
    bytes: Zeroizing<Vec<u8>>,
    head: usize,
}

impl Frame {
    /// A frame with `head` as JSON.
    pub(crate) fn new<T: Serialize>(head: &T, body: &[&[u8]]) -> io::Result<Self> {
        let head = Zeroizing::new(serde_json::to_vec(head)?);
        let length: usize = body.iter().map(|part| part.len()).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(head.len() + length));
        bytes.extend_from_slice(&head);
        for part in body {
            bytes.extend_from_slice(part);
        }
        let frame = Self {
            bytes,
            head: head.len(),
        };
        check(frame.head, length)?;
        Ok(frame)
    }

    /// Reads one frame; `None` where the stream ends before it.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut prefix = [0; PREFIX];
        if from.read(&mut prefix[..1])? == 0 {
            return Ok(None);
        }
        from.read_exact(&mut prefix[1..])?;
        let (head, body) = lengths(prefix);
        check(head, body)?;
        let mut bytes = Zeroizing::new(vec![0; head + body]);
        from.read_exact(&mut bytes)?;
        Ok(Some(Self { bytes, head }))
    }

    /// Takes a frame out of bytes that hold it and nothing else.
    pub(crate) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let mut rest = bytes;
        match Self::read(&mut rest)? {
            Some(frame) if rest.is_empty() => Ok(frame),
            _ => Err(invalid("a frame has another length than it says")),
        }
    }

    /// Writes it.
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        for length in [self.head, self.bytes.len() - self.head] {
            let length = u32::try_from(length).map_err(io::Error::other)?;
            to.write_all(&length.to_be_bytes())?;
        }
        to.write_all(&self.bytes)?;
        to.flush()
    }

    /// The head: JSON.
    pub(crate) fn head(&self) -> &[u8] {
        &self.bytes[..self.head]
    }

    /// The body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.head..]
    }
}

fn lengths(prefix: [u8; PREFIX]) -> (usize, usize) {
    let both = u64::from_be_bytes(prefix);
    let length = |number| usize::try_from(number).unwrap_or(usize::MAX);
    (length(both >> 32), length(both & u64::from(u32::MAX)))
}

fn check(head: usize, body: usize) -> io::Result<()> {
    if head > MAX_HEAD || body > MAX_BODY {
        return Err(invalid("a frame is above the limit"));
    }
    Ok(())
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back() {
        let frame = Frame::new(&serde_json::json!({"id": 1}), &[b"a\0", b"\xff"]).unwrap();
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        assert_eq!(bytes[..8], [0, 0, 0, 8, 0, 0, 0, 3]);
        let back = Frame::parse(&bytes).unwrap();
        assert_eq!(back.head(), br#"{"id":1}"#);
        assert_eq!(back.body(), b"a\0\xff");
        let mut stream = &bytes[..];
        assert!(Frame::read(&mut stream).unwrap().is_some());
        assert!(Frame::read(&mut stream).unwrap().is_none());
    }

    #[test]
    fn cut_and_oversized_frames_are_errors() {
        let frame = Frame::new(&serde_json::json!({}), &[b"body"]).unwrap();
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        for end in 1..bytes.len() {
            assert!(Frame::read(&mut &bytes[..end]).is_err(), "{end}");
        }
        assert!(Frame::parse(&[bytes.clone(), vec![0]].concat()).is_err());
        assert!(Frame::read(&mut &[0xff; 64][..]).is_err());
    }
}
