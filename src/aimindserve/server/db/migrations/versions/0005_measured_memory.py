"""Memory as measured: what starts taught."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("deployments", sa.Column("relief", JSON, nullable=True))
    on_gpu = sa.Column("on_gpu", sa.Boolean(), server_default=sa.false(), nullable=False)
    for column in (on_gpu, *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("high", "base"))):
        op.add_column("estimates", column)
    op.create_table(
        "corrections",
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("engine_version", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=128), nullable=False),
        sa.Column("on_gpu", sa.Boolean(), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ratios", JSON, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("engine", "engine_version", "family", "on_gpu", "item", name=op.f("pk_corrections")),
    )


def downgrade() -> None:
    op.drop_table("corrections")
    for column in ("on_gpu", "high", "base"):
        op.drop_column("estimates", column)
    op.drop_column("deployments", "relief")
