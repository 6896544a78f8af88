"""Puts the demo content into an empty site. May be called at every release: what is there stays."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from newsroom import contract
from wagtail.images.models import Image
from wagtail.models import Page, Site

from news import demo, drawing, jobs
from news.models import ArticlePage, HomePage, SectionPage, Subscriber


def seed() -> None:
    """The administrator, the pages with their pictures, and three readers of the newsletter."""
    with jobs.together(), transaction.atomic():
        _administrator()
        if not HomePage.objects.exists():
            _articles(_sections(_home()))
            _readers()


def _administrator() -> None:
    users = get_user_model()
    if contract.ADMIN_PASSWORD and not users.objects.filter(username=contract.ADMIN_USER).exists():
        users.objects.create_superuser(
            contract.ADMIN_USER, "admin@readers.example", contract.ADMIN_PASSWORD
        )


def _home() -> HomePage:
    root = Page.get_first_root_node()
    home = root.add_child(instance=HomePage(title="Meridian", slug="meridian", motto=demo.MOTTO))
    old = [site.root_page for site in Site.objects.select_related("root_page")]
    Site.objects.update_or_create(is_default_site=True, defaults={"hostname": "localhost", "root_page": home})
    for page in old:  # Wagtail's own welcome page
        page.refresh_from_db()
        page.delete()
    home.refresh_from_db()
    return home


def _sections(home: HomePage) -> dict[str, SectionPage]:
    made = {}
    for title, intro in demo.SECTIONS.items():
        made[title] = home.add_child(instance=SectionPage(title=title, intro=intro, show_in_menus=True))
    return made


def _articles(sections: dict[str, SectionPage]) -> None:
    now = timezone.now()
    for number, article in enumerate(demo.ARTICLES):
        fields = {key: article[key] for key in ("title", "standfirst", "author", "hero_text", "body")}
        page = ArticlePage(
            **fields,
            slug=slugify(article["title"])[:60].strip("-"),
            hero=_picture(article["motif"], article["hero_text"]),
            published=now - timedelta(hours=5 * number),
        )
        sections[article["section"]].add_child(instance=page)


def _picture(motif: str, text: str) -> Image:
    file = ContentFile(drawing.jpeg(motif), name=f"{motif}.jpg")
    size = {"width": drawing.WIDTH, "height": drawing.HEIGHT, "file_size": file.size}
    return Image.objects.create(title=motif.capitalize(), description=text, file=file, **size)


def _readers() -> None:
    now = timezone.now()
    Subscriber.objects.bulk_create([Subscriber(email=email, confirmed=now) for email in demo.READERS])
