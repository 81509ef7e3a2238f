
# Open edX asks the search engine for the identifier of its own key. Who may ask that may read every key there
# is, those of other instances too (Meilisearch before 1.50; later ones refuse it to a key that is for some
# indexes alone). So the answer is here, and the key has no such right.
def _grove_search(key, uid):
    import types

    import meilisearch

    ask = meilisearch.Client.get_key

    def get_key(self, key_or_uid):
        if key_or_uid == key:
            return types.SimpleNamespace(uid=uid)
        return ask(self, key_or_uid)

    meilisearch.Client.get_key = get_key


_grove_search("@@MEILISEARCH_API_KEY@@", "@@MEILISEARCH_API_KEY_UID@@")
