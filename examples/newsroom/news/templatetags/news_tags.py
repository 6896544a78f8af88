"""Images in the sizes that the worker makes."""

from django import template

from news.images import RENDITIONS, address

register = template.Library()


@register.inclusion_tag("news/_image.html")
def picture(image, text="", sizes="100vw", eager=False, widest=1600):
    """An <img> whose sizes the browser chooses from."""
    widths = [width for width in RENDITIONS if width <= widest] if image else []
    sources = [(address(image, width), width) for width in widths]
    return {"sources": sources, "text": text, "sizes": sizes, "eager": eager}
