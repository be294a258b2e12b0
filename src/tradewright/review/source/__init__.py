"""Reading migrations: layouts, directives and statements with their exact places."""
