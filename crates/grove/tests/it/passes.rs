//! Every difference between a deploy tree and what Tutor and Kustomize give is one that a pass
//! names.
