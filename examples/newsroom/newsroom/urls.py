"""Addresses. Pages come last: Wagtail's tree takes whatever nobody else wants."""

from django.urls import include, path, re_path
from news import views
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as admin_urls
from wagtail.images.views.serve import ServeView

urlpatterns = [
    path("admin/", include(admin_urls)),
    path("search/", views.search, name="search"),
    path("feed/", views.Feed(), name="feed"),
    path("newsletter/", views.subscribe, name="subscribe"),
    path("newsletter/confirm/<str:token>/", views.confirm, name="confirm"),
    path("newsletter/leave/<str:token>/", views.leave, name="leave"),
    path("media/<path:name>", views.media, name="media"),
    path("originals/<path:name>", views.original, name="original"),
    re_path(
        r"^images/([^/]*)/(\d*)/([^/]*)/[^/]*$", ServeView.as_view(), name="wagtailimages_serve"
    ),
    path("", include(wagtail_urls)),
]
handler500 = "news.views.server_error"
