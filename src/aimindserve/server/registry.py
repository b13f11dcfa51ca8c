"""All features of the API, in one place. A new one is an import and an entry."""

from fastapi import APIRouter

from aimindserve.server.features.aliases.api import router as aliases
from aimindserve.server.features.auth.api import router as auth
from aimindserve.server.features.catalog.api import router as catalog
from aimindserve.server.features.deployments.api import router as deployments
from aimindserve.server.features.engines.api import router as engines
from aimindserve.server.features.events.api import router as events
from aimindserve.server.features.files.api import router as files
from aimindserve.server.features.fit.api import router as fit
from aimindserve.server.features.hub.api import router as hub
from aimindserve.server.features.keys.api import router as keys
from aimindserve.server.features.metrics.api import router as metrics
from aimindserve.server.features.nodes.api import router as nodes
from aimindserve.server.features.overview.api import router as overview
from aimindserve.server.features.replicas.api import router as replicas
from aimindserve.server.features.sessions.api import router as sessions
from aimindserve.server.features.settings.api import router as settings
from aimindserve.server.features.system.api import router as system
from aimindserve.server.features.usage.api import router as usage
from aimindserve.server.features.users.api import router as users

FEATURES: tuple[APIRouter, ...] = (
    auth,
    users,
    sessions,
    keys,
    deployments,
    aliases,
    replicas,
    nodes,
    overview,
    fit,
    files,
    engines,
    hub,
    catalog,
    settings,
    system,
    events,
    usage,
    metrics,
)
"""Routers mounted below ``/api/v1``."""
