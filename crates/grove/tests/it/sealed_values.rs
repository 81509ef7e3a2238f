//! What a cluster opens is what Tutor writes with the real values.
