import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heldout.data.storage.member_names import Names, checked, in_order
from heldout.data.storage.sources import FolderSource, pictures_below
from heldout.data.storage.walking import look_into, why_no_file
from heldout.errors import DataError

PARTS = st.sampled_from(["a", "a.jpg", "a-b", "a b.PNG", ".x", "b", "b0", "z\n.gif", "\u65e5", "note.txt"])
PATHS = st.sets(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=12)


def without_conflicts(paths: set[str]) -> list[str]:
    """The paths that can be files beside each other."""
    return sorted(path for path in paths if not any(other.startswith(f"{path}/") for other in paths))


@given(PATHS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_names_say_of_every_folder_what_the_folder_would(
    tmp_path_factory: pytest.TempPathFactory, paths: set[str]
) -> None:
    root = tmp_path_factory.mktemp("names")
    files = without_conflicts(paths)
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")
    names = Names([files[row] for row in in_order(files, "x.zip")])
    folders = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()]
    for folder in ["", *(f"{folder}/" for folder in folders)]:
        expected, found = look_into(root / folder, folder), names.look_into(folder, "x.zip", folder)
        for kind in ("folders", "pictures", "others"):
            assert sorted(getattr(found, kind)) == sorted(getattr(expected, kind))
        assert {thing.name for thing in found.passed_over} == {thing.name for thing in expected.passed_over}
    for name in [*files, *folders, "no", "a.jpg/no"]:
        assert names.why_no_file(name) == why_no_file(root / name)
    assert len(pictures_below(FolderSource(root))[0]) <= len(files)


def test_folders_that_are_listed_themselves_are_folders() -> None:
    names = Names(["a/", "a/b/", "c.jpg"])
    assert names.look_into("", "x.zip", "").folders == ["a"]
    assert names.look_into("a/", "x.zip", "a/").folders == ["b"]
    assert names.look_into("a/b/", "x.zip", "a/b/").folders == []
    assert (names.why_no_file("a"), names.why_no_file("c.jpg"), names.why_no_file("b")) == ("a folder", "", "not there")


@pytest.mark.parametrize("name", ["./a//b", "a/..", "/", "//a", ".//a", "a/./b", "c:\\x", "c:x", "a\0b", "./../a"])
def test_a_name_that_is_no_plain_relative_path_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"'x.zip' is refused because of its entry"):
        checked(name, "x.zip")


@pytest.mark.parametrize(
    "name", ["a", "a/", "..a/b..", "...", "a b", "new\nline", "\x1b[31m", "-rf", "<script>", ".x/y"]
)
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert checked(name, "x.zip") == name
    assert checked(f"./{name}", "x.zip") == name
