"""Effect of lateness, several submissions and marks by hand on the points."""

import datetime
from dataclasses import replace

import pytest

from rsl_edu.course.grade import policy
from rsl_edu.course.grade.by_hand import Hand
from rsl_edu.course.grade.gradebook import GRADED, NOTHING, TRIED_AGAIN, Row
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.policy import choose, deduction, hours_late, settle
from rsl_edu.course.grade.roster import Person, Roster
from rsl_edu.course.grade.settings import Late, Policy

MOST = {"easy": 4.0, "hard": 6.0}
DUE = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.timezone.utc)


def row(name="Ada", easy=4.0, hard=6.0, **fields):
    return Row(name, "key", GRADED, (Mark("easy", easy, None, ""), Mark("hard", hard, "nan", "")), **fields)


def after(hours):
    """Return a time some hours after the due date, in seconds since 1970."""
    return DUE.timestamp() + 3600 * hours


# Lateness -------------------------------------------------------------------------------------------------------------

RULE = Late(grace=0.5, per_day=10, most=50, none_after=7)


@pytest.mark.parametrize(
    ("hours", "points", "says"),
    [
        (0, 0, ""),
        (0.25, 0, "handed in 15 minutes late, within the grace period"),
        (0.5, 0, "handed in 30 minutes late, within the grace period"),
        (0.51, 2, "handed in 31 minutes late, with 30 minutes of grace: 10 % of 20 points"),
        (1 / 60, 0, "handed in 1 minute late, within the grace period"),
        (17 / 3600, 0, "handed in less than a minute late, within the grace period"),
        (59.4 / 60, 2, "handed in 59 minutes late, with 30 minutes of grace: 10 % of 20 points"),
        (3599 / 3600, 2, "handed in 1 hour late, with 30 minutes of grace: 10 % of 20 points"),
        (1.04, 2, "handed in 1 hour late, with 30 minutes of grace: 10 % of 20 points"),
        (1.1, 2, "handed in 1.1 hours late, with 30 minutes of grace: 10 % of 20 points"),
        (24.5, 2, "handed in 24.5 hours late, with 30 minutes of grace: 10 % of 20 points"),
        (24.6, 4, "handed in 24.6 hours late, with 30 minutes of grace: 20 % of 20 points"),
        (144, 10, "handed in 144 hours late, with 30 minutes of grace: 50 % of 20 points"),
        (168.5, 10, "handed in 168.5 hours late, with 30 minutes of grace: 50 % of 20 points"),
        (168.6, 20, "handed in 168.6 hours late, with 30 minutes of grace: no points after 7 days"),
        (None, 0, "handed in late, but it is unknown how late: nothing is taken off, decide by hand"),
    ],
)
def test_deduction_follows_the_rule(hours, points, says):
    assert deduction(RULE, hours, 20) == (pytest.approx(points), says)


def test_lateness_without_a_rule_is_only_a_remark():
    assert deduction(Late(), 50, 20) == (0, "handed in 50 hours late")
    assert deduction(Late(none_after=0), 0.1, 20)[0] == 20


def test_remark_mentions_only_an_existing_grace_period():
    assert deduction(Late(per_day=10), 25, 20) == (4, "handed in 25 hours late: 20 % of 20 points")


MODIFIED_LATER = {"late": True, "modified": after(5)}


@pytest.mark.parametrize(
    ("fields", "person", "due", "hours"),
    [
        ({}, None, DUE, 0),
        ({"modified": after(5)}, None, DUE, 0),  # a copy has a new time
        (MODIFIED_LATER, None, DUE, 5),
        (MODIFIED_LATER, None, None, None),
        ({"late": True, "modified": after(-5)}, None, DUE, None),  # the two contradict each other
        ({"late": True}, None, DUE, None),
        (MODIFIED_LATER, Person("Ada", late_hours=51), DUE, 51),
        (MODIFIED_LATER, Person("Ada", late_hours=0), DUE, 0),
        ({}, Person("Ada", late_hours=3), None, 3),
        ({}, Person("Ada", submitted=DUE + datetime.timedelta(hours=7)), DUE, 7),
        ({}, Person("Ada", submitted=DUE - datetime.timedelta(hours=7)), DUE, 0),
        ({}, Person("Ada", submitted=DUE), None, 0),
        ({"late": True}, Person("Ada", submitted=DUE), None, None),
        ({}, Person("Ada", unread="soon"), DUE, None),
        ({}, Person("Ada", unread="soon"), None, 0),
        ({}, Person("Ada", unread="soon", late_hours=2), DUE, 2),
        ({}, Person("Ada", late_hours=0, submitted=DUE + datetime.timedelta(hours=7)), DUE, 0),  # an extension
        ({}, Person("Ada", nothing=True), DUE, None),
        ({}, Person("Ada", nothing=True), None, None),
    ],
)
def test_hours_late_of_a_submission(fields, person, due, hours):
    assert hours_late(row(**fields), due, person) == hours


def test_deduction_is_at_most_the_points():
    (found,) = settle([row(easy=1, hard=0, late=True, modified=after(30))], Policy(DUE, Late(per_day=20)), MOST)
    assert (found.reached, found.total, found.settled.deduction, found.settled.hours_late) == (1, 0, 1, 30)


def test_deduction_also_applies_to_later_marks_by_hand():
    rule = Policy(DUE, Late(per_day=20))
    late = row(easy=1, hard=None, late=True, modified=after(1))
    assert settle([late], rule, MOST)[0].total == 0
    assert settle([late], rule, MOST, hands=[Hand("Ada", "hard", 6)])[0].total == 5  # 20 % of 10 are 2


def test_unreadable_time_is_reported_and_the_roster_is_used():
    times = Roster([Person("Ada", unread="soon"), Person("Bo", unread="soon")])
    roster = Roster([Person("Ada"), Person("Bo", late_hours=30)])
    rule = Policy(DUE, Late(per_day=10))
    ada, bo = settle([row("Ada"), row("Bo")], rule, MOST, roster=roster, times=times)
    assert (ada.total, ada.settled.hours_late, ada.settled.late) == (10, None, policy.UNREAD)
    assert (bo.total, bo.settled.hours_late) == (8, 30)


def test_roster_is_used_if_the_worksheet_is_older_than_the_submission():
    times = Roster([Person("Ada", nothing=True), Person("Bo", nothing=True), Person("Cy", nothing=True)])
    roster = Roster([Person("Ada"), Person("Bo", late_hours=30), Person("Cy")])
    rows = [row("Ada"), row("Bo"), Row("Cy", "k", NOTHING, ())]  # the export has an empty folder for Cy
    ada, bo, cy = settle(rows, Policy(DUE, Late(per_day=10)), MOST, roster=roster, times=times)
    assert (ada.total, ada.settled.hours_late, ada.settled.late) == (10, None, policy.UNSEEN)
    assert (bo.total, bo.settled.hours_late) == (8, 30)
    assert (cy.settled.hours_late, cy.settled.late) == (0, "")


def test_worksheet_lateness_does_not_apply_to_earlier_submissions():
    rows = [row(easy=1, file="early", modified=after(-9)), row(easy=4, file="late", modified=after(9))]
    times = Roster([Person("Ada", nothing=True)])
    best = settle(rows, Policy(DUE, Late(per_day=10), "best"), MOST, times=times)[0]
    assert (best.file, best.settled.late) == ("late", policy.UNSEEN)
    (alone,) = settle(rows[:1], Policy(DUE), MOST, times=Roster([Person("Ada", late_hours=0)]))
    assert alone.settled.hours_late == 0


def test_draft_gets_a_remark_and_is_graded_as_usual():
    times, roster = Roster([Person("Ada", draft=True)]), Roster([Person("Ada"), Person("Bo", draft=True)])
    ada, bo = settle([row()], Policy(), MOST, roster=roster, times=times)
    assert (ada.total, ada.remarks) == (10, "a draft, not submitted, in the worksheet")
    assert (bo.status, bo.remarks) == (NOTHING, "")


# Several submissions --------------------------------------------------------------------------------------------------


def test_the_latest_or_the_best_counts():
    rows = [row(easy=1, file="a"), row(easy=3, file="b"), row(easy=3, file="c"), row(easy=2, file="d")]
    assert choose(rows, "latest").file == "d"
    assert choose(rows, "best").file == "c"


def test_ungradable_submission_counts_only_if_there_is_no_other():
    broken, again = Row("Ada", "k", "not a notebook", (), file="x"), Row("Ada", "k", f"{TRIED_AGAIN}: x", (), file="y")
    assert choose([row(file="a"), broken], "latest").file == "a"
    assert choose([row(file="a"), again], "latest").file == "y"  # its points are not known yet
    assert choose([broken], "latest") is choose([broken], "best") is broken


def test_best_of_the_files_handed_in_together_counts():
    rows = [row(easy=2, file="old"), row(easy=4, file="a", hand_in="2"), row(easy=0, hard=0, file="b", hand_in="2")]
    (found,) = settle(rows, Policy(), MOST)
    assert (found.file, found.settled.others) == ("a", ("old", "b"))
    (found,) = settle([replace(each, hand_in="") for each in rows], Policy(), MOST)  # from an earlier version
    assert found.file == "b"
    again = Row("Ada", "k", f"{TRIED_AGAIN}: x", (), file="c", hand_in="2")
    assert choose([*rows, again], "latest").file == "a"


@pytest.mark.parametrize(
    ("times", "counts"), [((5, 5), "a"), ((5, 64), "a"), ((5, 66), "b"), ((66, 5), "a"), ((5, None), "b")]
)
def test_files_from_different_times_were_not_handed_in_together(times, counts):
    files = [row(file="a", modified=times[0], hand_in="1"), row(hard=0, file="b", modified=times[1], hand_in="1")]
    assert settle(files, Policy(), MOST)[0].file == counts


def test_files_handed_in_together_are_equally_late():
    files = [row(easy=4, file="a", hand_in="1"), row(easy=0, file="b", hand_in="1")]
    times = Roster([Person("Ada", late_hours=30)])
    (found,) = settle(files, Policy(DUE, Late(per_day=10)), MOST, times=times)
    assert (found.file, found.total) == ("a", 8)


def test_other_files_are_named():
    rows = [row(easy=1, file="a", modified=9.0), row(easy=2, file="b", modified=5.0), Row("Ada", "k", "nothing", ())]
    (found,) = settle(rows[:2], Policy(), MOST)
    assert (found.file, found.settled.others) == ("a", ("b",))
    (found,) = settle(rows, Policy(), MOST)  # one time is unknown, so the order of the runs counts
    assert (found.file, found.settled.others) == ("b", ("a",))
    (found,) = settle(rows[:2], Policy(several="best"), MOST)
    assert (found.file, found.settled.others) == ("b", ("a",))


def test_best_submission_is_chosen_after_the_deduction():
    rows = [row(easy=2, file="early", modified=after(-1)), row(easy=4, file="late", modified=after(30), late=True)]
    assert settle(rows, Policy(DUE, Late(per_day=5), "best"), MOST)[0].file == "late"  # 10 less 1, or 8
    assert settle(rows, Policy(DUE, Late(per_day=15), "best"), MOST)[0].file == "early"  # 10 less 3, or 8


def test_lateness_in_a_table_applies_to_the_newest_submission():
    rows = [row(file="early", modified=after(-1)), row(file="late", modified=after(30))]
    times = Roster([Person("Ada", late_hours=30)])
    best = settle(rows, Policy(DUE, Late(per_day=10), "best"), MOST, times=times)[0]
    assert (best.file, best.total) == ("early", 10)
    latest = settle(rows, Policy(DUE, Late(per_day=10)), MOST, times=times)[0]
    assert (latest.file, latest.total) == ("late", 8)


# The roster -----------------------------------------------------------------------------------------------------------

ROSTER = Roster([Person("Lovelace, Ada", "101", "ada@example.org"), Person("Bo Ek", "102"), Person("Cy", "103")])


def test_roster_students_come_first_and_others_last():
    rows = [row("zoe"), row("lovelaceada", identifier="101"), row("bo  ek"), row("Dan", identifier="9")]
    found = settle(rows, Policy(), MOST, roster=ROSTER)
    assert [(each.submission, each.identifier, each.status) for each in found] == [
        ("Lovelace, Ada", "101", GRADED),
        ("Bo Ek", "", GRADED),
        ("Cy", "", NOTHING),
        ("Dan", "9", GRADED),
        ("zoe", "", GRADED),
    ]
    assert [each.submission for each in policy.unmatched(found, ROSTER)] == ["Dan", "zoe"]
    assert found[0].settled.person is ROSTER.people[0]


def test_two_names_of_one_student_give_one_row():
    rows = [row("lovelaceada", identifier="101", file="a"), row("Ada Lovelace", easy=1, file="b")]
    (found, *_) = settle(rows, Policy(), MOST, roster=ROSTER)
    assert (found.submission, found.file, found.settled.others) == ("Lovelace, Ada", "b", ("a",))


def test_canvas_test_student_has_a_row_only_with_a_submission():
    roster = Roster([Person("Lovelace, Ada", "101"), Person("Student, Test", "9999", test=True)])
    assert [each.submission for each in settle([], Policy(), MOST, roster=roster)] == ["Lovelace, Ada"]
    found = settle([row("studenttest", identifier="9999")], Policy(), MOST, roster=roster)
    assert [(each.submission, each.status) for each in found] == [("Lovelace, Ada", NOTHING), ("Student, Test", GRADED)]
    assert policy.unmatched(found, roster) == []


@pytest.mark.parametrize("exported", ["Participant (101)", "Participant", "Team Blue-Participant"])
def test_hidden_moodle_names_are_matched_by_number(exported):
    roster = Roster([Person("Participant 101", "101"), Person("Participant 102", "102")])
    rows = [row(exported, identifier="101"), row("Team Blue", identifier="102")]  # the number of a group
    found = settle(rows, Policy(), MOST, roster=roster)
    assert [(each.submission, each.status) for each in found] == [
        ("Participant 101", GRADED),
        ("Participant 102", NOTHING),
        ("Team Blue", GRADED),
    ]


def test_ambiguous_name_matches_nobody():
    roster = Roster([Person("bo", "1"), Person("Bo Ek", "2", login="bo")])
    found = settle([row("bo")], Policy(), MOST, roster=roster)
    assert [(each.submission, each.status) for each in found] == [
        ("bo", NOTHING),
        ("Bo Ek", NOTHING),
        ("bo (uncertain)", GRADED),
    ]


def test_absent_students_get_zero_or_empty_cells():
    assert settle([], Policy(), MOST, roster=ROSTER)[0].has_points
    (first, *_) = settle([], Policy(nothing="empty"), MOST, roster=ROSTER)
    assert (first.has_points, first.marks) == (False, ())
    hands = [Hand("Cy", "hard", 3)]
    last = settle([], Policy(nothing="empty"), MOST, roster=ROSTER, hands=hands)[2]
    assert (last.has_points, last.total, [mark.points for mark in last.marks]) == (True, 3, [0, 3])


def test_rows_are_sorted_by_name_without_a_roster():
    assert [each.submission for each in settle([row("Bo"), row("ada"), row("Cy")], Policy(), MOST)] == [
        "ada",
        "Bo",
        "Cy",
    ]


# By hand --------------------------------------------------------------------------------------------------------------


def test_points_by_hand_replace_other_points():
    hands = [Hand("Ada", "hard", 2, "half of it"), Hand("Bo", "hard", 5), Hand("Ada", "easy", None, "well done")]
    (found,) = settle([row()], Policy(), MOST, hands=hands)
    assert (found.total, [mark.points for mark in found.marks]) == (6, [4, 2])
    assert [(each.hand.exercise, each.before) for each in found.settled.by_hand] == [("hard", 6), ("easy", 4)]
    assert found.settled.remarks == "hard by hand (half of it). easy by hand (well done)"


def test_lateness_can_be_forgiven_by_hand():
    late = row(late=True, modified=after(30))
    (found,) = settle([late], Policy(DUE, Late(per_day=20)), MOST, hands=[Hand("Ada", "late", 0, "ill")])
    assert (found.total, found.settled.late) == (10, "handed in 30 hours late")
    assert found.settled.remarks == "handed in 30 hours late. late by hand: takes off 0 (ill)"
    assert found.settled.by_hand[0].before == 4


def test_name_escaped_in_the_table_is_recognized():
    for written in ("=1", "'=1"):
        (found,) = settle([row("=1")], Policy(), MOST, hands=[Hand(written, "hard", 0)])
        assert found.total == 4


def test_ungraded_submission_can_be_marked_by_hand():
    hands = [Hand("Ada", "easy", 3)]
    (found,) = settle([Row("Ada", "k", "no notebook: a.pdf", ())], Policy(), MOST, hands=hands)
    assert (found.total, [mark.points for mark in found.marks]) == (3, [3, 0])
    (found,) = settle([Row("Ada", "k", f"{TRIED_AGAIN}: x", ())], Policy(), MOST, hands=hands)
    assert (found.total, [mark.points for mark in found.marks], found.has_points) == (3, [3, None], True)


# Versions -------------------------------------------------------------------------------------------------------------


def test_results_of_another_version_get_a_remark():
    rows = [row("a", version="1"), row("b", version="2")]
    assert [each.settled.outdated for each in settle(rows, Policy(), MOST, version="2")] == [True, False]
    (found,) = settle([rows[0]], Policy(), {"hard": 6.0, "new": 1.0}, version="2")
    assert [mark.task for mark in found.marks] == ["hard"]
    assert "earlier version" in found.settled.remarks
    assert replace(found, settled=replace(found.settled, outdated=False)).settled.remarks == ""
