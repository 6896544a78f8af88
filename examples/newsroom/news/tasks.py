"""What the worker does for this site. Each task may be run twice."""

import logging

from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone
from django_tasks import task
from wagtail.images.models import Image

log = logging.getLogger(__name__)


def listen() -> None:
    """Ask for renditions whenever an image was stored."""
    post_save.connect(_image_saved, sender=Image, dispatch_uid="news.make_renditions")


def _image_saved(instance, created, raw=False, **_):
    if not raw:
        make_renditions.enqueue(instance.pk)


@task()
def make_renditions(image_pk: int) -> None:
    """All sizes of an image, so that no reader waits for one."""
    from news.images import make_all

    image = Image.objects.prefetch_related("renditions").get(pk=image_pk)
    log.info("image %s has %d renditions", image.title, make_all(image))


@task()
def send_confirmation(subscriber_pk: int) -> None:
    """Ask the owner of an address whether the newsletter is wanted."""
    from news import letters
    from news.models import Subscriber

    subscriber = Subscriber.objects.get(pk=subscriber_pk)
    if not subscriber.confirmed:
        letters.confirmation(subscriber).send()


@task()
def send_issue(issue_pk: int) -> None:
    """One job per subscriber, so that several workers share a large edition."""
    from news.jobs import together
    from news.models import Delivery, Issue, Subscriber

    issue = Issue.objects.get(pk=issue_pk)
    readers = Subscriber.objects.filter(confirmed__isnull=False)
    deliveries = [Delivery(issue=issue, subscriber=reader) for reader in readers]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=500)
    with together():
        for pk in issue.deliveries.filter(sent=None).values_list("pk", flat=True):
            deliver.enqueue(pk)
    log.info("issue %s goes to %d readers", issue.pk, len(deliveries))


@task()
def deliver(delivery_pk: int) -> None:
    """Send one issue to one subscriber. The row is locked meanwhile, so no other worker sends it too."""
    from news import letters
    from news.models import Delivery

    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_pk)
        if delivery.sent:
            return
        letters.edition(delivery).send()
        delivery.sent = timezone.now()
        delivery.save(update_fields=["sent"])
