"""The addresses of this server. What is not here answers with the problem `route_unknown`."""

from django.urls import URLPattern, URLResolver, path

from comity.api.routes import addresses

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/", (addresses(), "ninja", "api"))]
