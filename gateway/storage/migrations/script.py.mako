"""${message}."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from gateway.models import base
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
