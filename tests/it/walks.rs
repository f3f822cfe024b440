//! Walks over lists: every row exactly once, in order, whatever the limits and
//! whatever happens to other rows meanwhile.
