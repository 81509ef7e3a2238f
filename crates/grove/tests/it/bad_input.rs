//! Bad input gets a finding or a clear error, and changes nothing.
