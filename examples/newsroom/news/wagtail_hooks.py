"""What is added to Wagtail's own admin: the newsletter."""

from django.urls import path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from news import editing


@hooks.register("register_admin_urls")
def urls():
    return [path("newsletter/", editing.newsletter, name="newsletter_admin")]


@hooks.register("register_admin_menu_item")
def menu_item():
    return MenuItem("Newsletter", reverse("newsletter_admin"), icon_name="mail", order=300)
