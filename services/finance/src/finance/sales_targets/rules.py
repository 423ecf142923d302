"""What may be wrong with a target or a report. Source: F7, F29"""

from shared.errors import Conflict, Invalid, NotFound


class TargetExists(Conflict):
    code = "sales_target_exists"
    cure = "Change the target that is set."


class TargetNotFound(NotFound):
    code = "sales_target_not_found"
    cure = "Look it up in the list of targets."


class ReportExists(Conflict):
    code = "sales_report_exists"
    cure = "Nothing needs doing: this day is reported."


class ReportDayInvalid(Invalid):
    code = "sales_report_day_invalid"
    cure = "Report one of the last 31 days."
