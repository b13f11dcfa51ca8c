"""Labels of nodes, and nodes that are drained."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("nodes", sa.Column("labels", JSON, server_default="{}", nullable=False))
    op.add_column("nodes", sa.Column("drained_at", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("nodes", "drained_at")
    op.drop_column("nodes", "labels")
