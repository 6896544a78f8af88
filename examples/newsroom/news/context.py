"""What every page of the site shows: its sections, and which copy made it."""

from django.utils.functional import SimpleLazyObject
from newsroom import contract


def site(request):
    return {
        "sections": SimpleLazyObject(_sections),
        "public_url": contract.PUBLIC_URL,
        "zone": contract.ZONE,
        "release": contract.RELEASE,
    }


def _sections():
    from news.models import SectionPage

    return list(SectionPage.objects.live().order_by("path"))
