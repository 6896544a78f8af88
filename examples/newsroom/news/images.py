"""The sizes in which the site shows images."""

from wagtail.images.views.serve import generate_image_url

RENDITIONS = {480: "fill-480x270", 960: "fill-960x540", 1600: "fill-1600x900"}
"""Width in pixels -> Wagtail's name for it. The worker makes them as soon as an image is uploaded."""

EDITOR_RENDITIONS = ("max-165x165", "max-800x600")
"""What Wagtail's image chooser and image page ask for."""


def address(image, width: int) -> str:
    """Of a rendition; one that is not there yet is made when a browser asks for this address."""
    spec = RENDITIONS[width]
    for rendition in image.renditions.all():
        if rendition.filter_spec == spec:
            return rendition.url
    return generate_image_url(image, spec)


def make_all(image) -> int:
    """Make what is missing. May be called twice. Returns how many renditions the image has."""
    return len(image.get_renditions(*RENDITIONS.values(), *EDITOR_RENDITIONS))
