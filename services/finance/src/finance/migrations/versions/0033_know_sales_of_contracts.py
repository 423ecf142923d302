"""A contract knows the sales that shipped its goods.

Code of the release before ships without saying so here: goods of contracts are not shipped during the roll.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

SHIPPED = """
insert into contract_sales (sale_id, contract_id)
select s.sale_id, o.contract_id from shipments s join sales_orders o on o.order_id = s.order_id
where o.contract_id is not null
"""


def upgrade() -> None:
    op.create_table(
        "contract_sales",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_contract_sales")),
    )
    op.create_index("contract_sales_contract", "contract_sales", ["contract_id"])
    op.execute(SHIPPED)


def downgrade() -> None:
    op.drop_table("contract_sales")
