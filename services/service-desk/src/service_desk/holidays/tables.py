"""What notices of holidays say: copies of what reporting owns."""

from sqlalchemy import Table

from service_desk.kernel.metadata import metadata
from shared.holidays import FILLED_ANEW, day_columns, notice_columns
from shared.tables import declare

holiday_notices_known = Table("holiday_notices_known", metadata, *notice_columns())
holidays_known = Table("holidays_known", metadata, *day_columns())

declare(metadata, removes=dict.fromkeys(("holiday_notices_known", "holidays_known"), FILLED_ANEW))
