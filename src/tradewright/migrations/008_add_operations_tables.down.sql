-- Takes away the jobs, their schedules and what is known of their runs.

DROP TABLE job_runs;
DROP TABLE jobs;
