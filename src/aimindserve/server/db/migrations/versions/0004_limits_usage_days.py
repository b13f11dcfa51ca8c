"""Limits and networks of keys and people; usage by day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_SUMS = ("requests", "failed", "prompt_tokens", "completion_tokens", "cached_tokens", "image_tokens", "images")


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("networks", JSON, nullable=True))
    op.add_column("api_keys", sa.Column("limits", JSON, nullable=True))
    op.add_column("users", sa.Column("limits", JSON, nullable=True))
    op.add_column("usage", sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("usage", sa.Column("image_tokens", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("usage", sa.Column("images", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("day", "model", "key_id", "user_id", name=op.f("pk_usage_days")),
    )
    op.create_index("usage_days_by_key", "usage_days", ["key_id", "day"])
    op.create_index("usage_days_by_user", "usage_days", ["user_id", "day"])
    op.execute(
        "INSERT INTO usage_days (day, model, key_id, user_id, requests, failed, prompt_tokens, completion_tokens,"
        " cached_tokens, image_tokens, images)"
        " SELECT CAST(floor(started_at / 86400) AS INTEGER), model, coalesce(key_id, ''), user_id, count(*),"
        " sum(CASE WHEN status >= 400 THEN 1 ELSE 0 END), sum(prompt_tokens), sum(completion_tokens), 0, 0, 0"
        " FROM usage GROUP BY 1, 2, 3, 4"
    )


def downgrade() -> None:
    op.drop_index("usage_days_by_user", "usage_days")
    op.drop_index("usage_days_by_key", "usage_days")
    op.drop_table("usage_days")
    for name in ("images", "image_tokens", "cached_tokens"):
        op.drop_column("usage", name)
    op.drop_column("users", "limits")
    op.drop_column("api_keys", "limits")
    op.drop_column("api_keys", "networks")
