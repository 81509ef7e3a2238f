//! ...
pub mod all;
pub mod apply;
pub mod holder;
pub mod outputs;
pub mod plan;
pub mod select;
pub mod tofu;
pub mod work;
