"""The search server, made so that nothing that was saved while it was away stays unfound.

Its library swallows what the server refuses. Here a background job fails instead and comes again;
anything else goes on and leaves a job behind.
"""

import logging

from modelsearch.backends.opensearch2 import OpenSearch2SearchBackend
from modelsearch.tasks import insert_or_update_object_task
from opensearchpy.exceptions import OpenSearchException

from news import jobs

log = logging.getLogger(__name__)


class SearchBackend(OpenSearch2SearchBackend):
    """Of OpenSearch's protocol; the name is the one that the library looks for."""

    catch_indexing_errors = False

    def add(self, obj) -> None:
        """Index it, now or by a job. Raises OpenSearchException within a job."""
        try:
            super().add(obj)
        except OpenSearchException:
            if jobs.doing():
                raise
            label, model = obj._meta.app_label, obj._meta.model_name
            insert_or_update_object_task.enqueue(label, model, str(obj.pk))

    def delete(self, obj) -> None:
        """Take it out. What is left when the server is away is not shown: its row is gone."""
        try:
            super().delete(obj)
        except OpenSearchException as e:
            log.warning("search did not forget %r: %s", obj, e)
