"""The course: checks that explain mistakes, student and solution versions of assignments, and grading."""
