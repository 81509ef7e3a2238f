//! Git objects in a map.

use std::{
    io::Read,
    sync::{Arc, PoisonError, RwLock},
};

use gix::{
    ObjectId,
    error::ResultExt as _,
    hash::{Kind::Sha1, oid},
    hashtable::HashMap,
    objs::{Data, Exists, Find, FindHeader, Header, Kind, Write},
};

use crate::git::ObjectStore;

/// Kind and bytes of each object. Locked for no longer than it takes to look one up.
#[derive(Default)]
pub(super) struct Objects(RwLock<HashMap<ObjectId, Object>>);

type Object = (Kind, Arc<[u8]>);

impl Objects {
    /// How many there are, and how many bytes they have.
    pub(super) fn size(&self) -> (usize, usize) {
        let objects = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let bytes = objects.values().map(|(_, bytes)| bytes.len()).sum();
        (objects.len(), bytes)
    }

    fn get(&self, id: &oid) -> Option<Object> {
        let objects = self.0.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(id).cloned()
    }
}

impl Find for Objects {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        Ok(self.get(id).map(|(kind, bytes)| {
            buffer.clear();
            buffer.extend_from_slice(&bytes);
            Data::new(buffer, kind, Sha1)
        }))
    }
}

impl FindHeader for Objects {
    fn try_header(&self, id: &oid) -> gix::Result<Option<Header>> {
        Ok(self.get(id).map(|(kind, bytes)| Header {
            kind,
            size: bytes.len() as u64,
        }))
    }
}

impl Exists for Objects {
    fn exists(&self, id: &oid) -> bool {
        let objects = self.0.read().unwrap_or_else(PoisonError::into_inner);
        objects.contains_key(id)
    }
}

impl Write for Objects {
    fn write_buf_with_known_id(
        &self,
        kind: Kind,
        from: &[u8],
        id: ObjectId,
    ) -> gix::Result<ObjectId> {
        let mut objects = self.0.write().unwrap_or_else(PoisonError::into_inner);
        objects.entry(id).or_insert_with(|| (kind, from.into()));
        Ok(id)
    }

    fn write_stream(&self, kind: Kind, _: u64, from: &mut dyn Read) -> gix::Result<ObjectId> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).or_error()?;
        let id = gix::objs::compute_hash(Sha1, kind, &bytes)?;
        self.write_buf_with_known_id(kind, &bytes, id)
    }

    fn write_stream_with_known_id(
        &self,
        kind: Kind,
        _: u64,
        from: &mut dyn Read,
        id: ObjectId,
    ) -> gix::Result<ObjectId> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).or_error()?;
        self.write_buf_with_known_id(kind, &bytes, id)
    }
}

impl ObjectStore for Objects {
    fn is_at_hand(&self, id: &oid) -> bool {
        self.exists(id)
    }
}
