"""Roles of people, and where sessions come from."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.String(length=16), server_default="user", nullable=False))
    op.execute(sa.text("UPDATE users SET role = 'admin' WHERE is_admin"))
    op.drop_column("users", "is_admin")
    for name, length in (("address", 64), ("agent", 200)):
        op.add_column("sessions", sa.Column(name, sa.String(length=length), server_default="", nullable=False))


def downgrade() -> None:
    for name in ("address", "agent"):
        op.drop_column("sessions", name)
    op.add_column("users", sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text("UPDATE users SET is_admin = (role = 'admin')"))
    op.drop_column("users", "role")
