"""What is said of accounts that a job cannot run as, as templates of `str.format`."""

NOT_TO_ACT_AS = (
    "You do not have permission to act as service_account: {account} (or it may "
    "not exist): name an enabled account of the job's own project that is not the operator's."
)
