//! Git's objects, wherever they are kept.

use gix::{
    ObjectId,
    error::ResultExt as _,
    hash::{Kind::Sha1, oid},
    objs::{
        Data, Exists, Find, FindExt as _, FindHeader, Kind, Write, WriteTo,
        tree::{Editor, EntryKind},
    },
};
use grove_core::snapshot::FILE_LIMIT;

use super::objects::Tree;
use crate::Id;

/// Where Git objects are kept.
pub(crate) trait ObjectStore: Find + FindHeader + Exists + Write {
    /// Whether an object is there, as far as can be said without a look at what others may have added
    /// just now. Only good for not writing it twice.
    fn is_at_hand(&self, id: &oid) -> bool;
}

impl ObjectStore for gix::OdbHandle {
    fn is_at_hand(&self, id: &oid) -> bool {
        self.exists_without_refresh(id)
    }
}

/// Objects and what is made of them.
#[derive(Clone, Copy)]
pub(crate) struct Database<'a>(&'a dyn ObjectStore);

impl Find for Database<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        // Git has the empty tree without anyone writing it.
        if *id == *ObjectId::empty_tree(Sha1) {
            return Ok(Some(Data::new(&[], Kind::Tree, Sha1)));
        }
        self.0.try_find(id, buffer)
    }
}

impl<'a> Database<'a> {
    pub(crate) fn new(store: &'a dyn ObjectStore) -> Self {
        Self(store)
    }

    /// Whether an object is there.
    pub(crate) fn has(&self, id: Id) -> bool {
        id == Id::empty_tree() || self.0.exists(&id.object())
    }

    /// A commit's tree.
    pub(crate) fn root(&self, commit: Id) -> gix::Result<Id> {
        let mut buffer = Vec::new();
        let tree = self
            .find_commit_iter(&commit.object(), &mut buffer)?
            .tree_id()?;
        Ok(tree.into())
    }

    /// A commit's first parent; none for a branch's first commit.
    pub(crate) fn parent(&self, commit: Id) -> gix::Result<Option<Id>> {
        let mut buffer = Vec::new();
        let commit = self.find_commit_iter(&commit.object(), &mut buffer)?;
        Ok(commit.parent_ids().next().map(Id::from))
    }

    /// Whether `commit` is `tip` or in its history.
    pub(crate) fn is_ancestor(&self, commit: Id, tip: Id) -> gix::Result<bool> {
        if tip == commit {
            return Ok(true);
        }
        if !self.has(commit) {
            return Ok(false);
        }
        let mut graph = gix::revwalk::Graph::new(*self, None);
        let bases =
            gix::revision::plumbing::merge_base(commit.object(), &[tip.object()], &mut graph)?;
        Ok(bases.is_some_and(|bases| Id::from(*bases.first()) == commit))
    }

    /// The entry at `path` (with `/`) below the tree `root`.
    pub(crate) fn entry(&self, root: Id, path: &str) -> gix::Result<Option<Tree>> {
        let mut found = Tree {
            id: root,
            is_directory: true,
        };
        let mut buffer = Vec::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !found.is_directory {
                return Ok(None);
            }
            let mut entries = self.find_tree_iter(&found.id.object(), &mut buffer)?;
            // Entries of another repository may be anything; the first of a name counts.
            let entry = entries.find_map(|entry| match entry {
                Ok(entry) => (entry.filename == name).then_some(Ok(entry)),
                Err(error) => Some(Err(error)),
            });
            let Some(entry) = entry.transpose()? else {
                return Ok(None);
            };
            found = Tree {
                id: entry.oid.to_owned().into(),
                is_directory: entry.mode.is_tree(),
            };
        }
        Ok(Some(found))
    }

    /// The directory at `path` below the tree `root`.
    pub(crate) fn directory(&self, root: Id, path: &str) -> gix::Result<Option<Id>> {
        Ok(self
            .entry(root, path)?
            .filter(|entry| entry.is_directory)
            .map(|entry| entry.id))
    }

    /// A blob's bytes, or its size where that is more than [`FILE_LIMIT`]; such a one is not read.
    pub(crate) fn blob(&self, id: Id) -> gix::Result<Result<Vec<u8>, u64>> {
        let size = self.0.try_header(&id.object())?.map(|header| header.size);
        if let Some(size) = size.filter(|size| *size > FILE_LIMIT) {
            return Ok(Err(size));
        }
        let mut buffer = Vec::new();
        self.find_blob(&id.object(), &mut buffer)?;
        Ok(Ok(buffer))
    }

    /// An editor of a tree, which writes nothing before [`Self::write_edited`].
    pub(crate) fn edit(&self, tree: gix::objs::Tree) -> Editor<'_> {
        Editor::new(tree, self, Sha1)
    }

    /// Writes the trees that an editor changed; gives that of the root.
    pub(crate) fn write_edited(&self, editor: &mut Editor<'_>) -> gix::Result<Id> {
        let names = gix::validate::path::component::Options {
            protect_windows: false,
            ..gix::validate::path::component::Options::default()
        };
        let root = editor.write(|tree| -> gix::Result<ObjectId> {
            for entry in &tree.entries {
                gix::validate::path::component(entry.filename.as_ref(), None, names).or_error()?;
                // A tree that names what is not there would be refused by the remote, which does not
                // say that it is our cache that is damaged.
                if entry.mode.kind() != EntryKind::Commit && !self.has(entry.oid.into()) {
                    self.find(&entry.oid, &mut Vec::new())?;
                }
            }
            Ok(self.write_object(tree)?.object())
        })?;
        Ok(root.into())
    }

    /// Writes a file's bytes.
    pub(crate) fn write_blob(&self, bytes: &[u8]) -> gix::Result<ObjectId> {
        self.write(Kind::Blob, bytes)
    }

    /// Writes a tree or commit.
    pub(crate) fn write_object(&self, object: &dyn WriteTo) -> gix::Result<Id> {
        let mut bytes = Vec::new();
        object.write_to(&mut bytes).or_error()?;
        Ok(self.write(object.kind(), &bytes)?.into())
    }

    fn write(&self, kind: Kind, bytes: &[u8]) -> gix::Result<ObjectId> {
        let id = gix::objs::compute_hash(Sha1, kind, bytes)?;
        if self.0.is_at_hand(&id) {
            return Ok(id);
        }
        self.0.write_buf_with_known_id(kind, bytes, id)
    }
}
