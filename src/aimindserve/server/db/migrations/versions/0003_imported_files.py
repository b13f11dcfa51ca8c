"""Model files that are brought in a folder."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_orders", sa.Column("folder", sa.String(length=4096), nullable=True))


def downgrade() -> None:
    op.drop_column("model_orders", "folder")
