"""The life of a resource, once: declare it, the standard methods, operations, list queries, reconcile."""
