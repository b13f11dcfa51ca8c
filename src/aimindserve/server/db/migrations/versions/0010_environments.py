"""Orders to install engines on nodes, and programs that administrators registered."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "environment_orders",
        sa.Column("node_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=16), nullable=True),
        sa.Column("program", sa.String(length=4096), nullable=True),
        sa.Column("wheels", sa.String(length=4096), nullable=True),
        sa.Column("wanted", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_environment_orders_node_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_id", "key", name=op.f("pk_environment_orders")),
    )


def downgrade() -> None:
    op.drop_table("environment_orders")
