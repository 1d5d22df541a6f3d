"""The course: checks that explain, the build of student and solution versions, grading."""
