"""Full-text search, and what happens when the search server is away."""

import logging

from django.core.cache import cache
from django.core.management import call_command
from django.db.models import Q
from opensearchpy.exceptions import OpenSearchException
from modelsearch.backends import get_search_backend
from wagtail.models import Page

from news.models import ArticlePage

log = logging.getLogger(__name__)
LIMIT = 20


def articles(words: str) -> tuple[list[ArticlePage], bool]:
    """The best matches, best first, and whether the search server gave them.

    Without it, headlines and standfirsts are looked through in the database.
    """
    found = ArticlePage.newest()
    try:
        return list(found.search(words, order_by_relevance=True)[:LIMIT]), True
    except OpenSearchException as e:
        log.warning("search did not answer: %s", e)
    for word in words.split()[:8]:
        found = found.filter(Q(title__icontains=word) | Q(standfirst__icontains=word))
    return list(found[:LIMIT]), False


def ensure_index() -> None:
    """Build the index where it is missing, as after the loss of a server that keeps it in memory.

    A whole index has an alias; one that sprang up from a single article has none, and no mapping.
    """
    index = getattr(get_search_backend(), "get_index_for_model", lambda _: None)(Page)
    if index is None or index.is_alias() or not cache.add("building-the-index", 1, 60):
        return
    log.info("the search index is missing: building it")
    try:
        call_command("update_index", verbosity=0)
    finally:
        cache.delete("building-the-index")
