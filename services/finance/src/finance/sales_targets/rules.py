"""What may be wrong with a target or a report. Source: F7, F29"""

from shared.errors import Conflict, Invalid, NotFound


class TargetExists(Conflict):
    code = "sales_target_exists"


class TargetNotFound(NotFound):
    code = "sales_target_not_found"


class ReportExists(Conflict):
    code = "sales_report_exists"


class ReportDayInvalid(Invalid):
    code = "sales_report_day_invalid"
