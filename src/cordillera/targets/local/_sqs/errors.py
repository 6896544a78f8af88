"""What SQS answers when it does not do it."""


class SqsError(Exception):
    """`code` as the JSON protocol names it, `query_code` as the older one does."""

    def __init__(self, code: str, message: str, *, query_code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.query_code, self.status = code, query_code or code, status


def no_such_queue() -> SqsError:
    """The queue that was asked for is not there."""
    return SqsError(
        "QueueDoesNotExist",
        "The specified queue does not exist.",
        query_code="AWS.SimpleQueueService.NonExistentQueue",
    )


def invalid(message: str) -> SqsError:
    """A parameter's value cannot be."""
    return SqsError("InvalidParameterValue", message)


def missing(name: str) -> SqsError:
    """A parameter is needed."""
    return SqsError("MissingParameter", f"The request must contain the parameter {name}.")
