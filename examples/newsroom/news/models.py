"""The pages of the paper, and who receives its newsletter."""

from django.core import signing
from django.db import models
from django.urls import reverse
from django.utils import timezone
from modelsearch import index
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.images.models import Image
from wagtail.models import Page

FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "hr", "link", "blockquote", "image"]
TOKEN_SALT = "newsletter"


class HomePage(Page):
    """The front page: the newest article large, the others below it."""

    motto = models.CharField(max_length=120, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("motto")]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["news.SectionPage"]
    max_count = 1
    template = "news/home_page.html"

    def get_context(self, request, *args, **kwargs):
        articles = list(ArticlePage.newest()[:13])
        return {
            **super().get_context(request, *args, **kwargs),
            "lead": articles[0] if articles else None,
            "second": articles[1:3],
            "rest": articles[3:],
        }


class SectionPage(Page):
    """Culture, Science ...: a list of its articles."""

    intro = models.CharField(max_length=200, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("intro")]
    parent_page_types = ["news.HomePage"]
    subpage_types = ["news.ArticlePage"]
    template = "news/section_page.html"

    def get_context(self, request, *args, **kwargs):
        articles = ArticlePage.newest().child_of(self)[:24]
        return {**super().get_context(request, *args, **kwargs), "articles": articles}


class ArticlePage(Page):
    """One story."""

    standfirst = models.CharField(max_length=280, help_text="One or two sentences below the headline.")
    author = models.CharField(max_length=80)
    published = models.DateTimeField(default=timezone.now)
    hero = models.ForeignKey(
        Image, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name="main image"
    )
    hero_text = models.CharField(max_length=200, blank=True, help_text="What the image shows, for those who cannot see it.")
    body = RichTextField(features=FEATURES)

    content_panels = [
        *Page.content_panels,
        FieldPanel("standfirst"),
        FieldPanel("hero"),
        FieldPanel("hero_text"),
        FieldPanel("body"),
        FieldPanel("author"),
        FieldPanel("published"),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("standfirst"),
        index.SearchField("body"),
        index.SearchField("author"),
        index.FilterField("published"),
    ]
    parent_page_types = ["news.SectionPage"]
    subpage_types = []
    template = "news/article_page.html"

    @classmethod
    def newest(cls):
        """Live articles, newest first, with what their cards show."""
        found = cls.objects.live().order_by("-published", "-pk")
        return found.select_related("hero").prefetch_related("hero__renditions")

    @property
    def minutes(self) -> int:
        """Minutes to read it, at 220 words a minute."""
        return max(1, round(len(self.body.split()) / 220))

    def get_context(self, request, *args, **kwargs):
        others = ArticlePage.newest().exclude(pk=self.pk)[:3]
        context = super().get_context(request, *args, **kwargs)
        return {**context, "section": self.get_parent(), "others": others}


class Subscriber(models.Model):
    """An address that asked for the newsletter. It counts once it was confirmed by its owner."""

    email = models.EmailField(unique=True)
    asked = models.DateTimeField(auto_now_add=True)
    confirmed = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email

    def token(self) -> str:
        """Proof, for links in mails, that whoever holds it reads this address's mail."""
        return signing.dumps(self.email, salt=TOKEN_SALT)

    def link(self, name: str) -> str:
        """Path of this subscriber's own `confirm` or `leave` page."""
        return reverse(name, args=[self.token()])


class Issue(models.Model):
    """One newsletter: the newest articles at the time it is sent, below a few words of the editor's."""

    subject = models.CharField(max_length=120)
    introduction = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    articles = models.JSONField(default=list, editable=False)
    """Primary keys, chosen once, so that every subscriber reads the same."""

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """An issue on its way to a subscriber. `sent` is what keeps a repeated job from sending twice."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE)
    sent = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "subscriber"], name="once_per_subscriber")]
