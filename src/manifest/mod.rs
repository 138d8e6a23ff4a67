//! PURE, but `load`. Texts to manifests with spans, tags resolved, one environment laid over.
