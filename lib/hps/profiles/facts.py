"""Read profile folders: a folder that is there is a profile. Nothing is followed out of the profiles' root."""

from pathlib import Path

from hps.errors import InvalidInput, NotFound
from hps.profiles.model import Profile, Script, make_profile, parse_name
from hps.system import files


def profiles_root(folder: str = "") -> Path:
    """Where the profiles are: the folder that the setting PROFILES names, or the one delivered beside lib/."""
    return Path(folder or Path(__file__).resolve().parents[3] / "profiles")


def profile_names(root: Path) -> tuple[str, ...]:
    """The name of every profile folder, sorted; raises InvalidInput for one that is wrongly named."""
    if not root.is_dir():
        raise NotFound(f"{root} does not exist", hint="name the folder of the profiles: hps_config set PROFILES FOLDER")
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    for name in names:
        parse_name(name)
    return tuple(names)


def read_profile(root: Path, name: str) -> Profile:
    """One profile, checked; raises NotFound, or InvalidInput naming what is wrong in which file."""
    parse_name(name)
    folder = root / name
    _refuse_link(folder)
    if not folder.is_dir():
        raise NotFound(f"there is no profile {name}", hint="profiles: " + (", ".join(profile_names(root)) or "none"))
    lists = {"": _text(folder / "packages.list")} if (folder / "packages.list").exists() else {}
    for child in sorted(folder.iterdir()):
        _refuse_link(child)
        if child.is_dir() and child.name not in {"install-scripts", "tests"}:
            lists[child.name] = _text(child / "packages.list")
    return make_profile(name, lists, _scripts(folder / "install-scripts"), _scripts(folder / "tests"))


def _scripts(folder: Path) -> tuple[Script, ...]:
    _refuse_link(folder)
    if not folder.is_dir():
        return ()
    return tuple(Script(path.name, _text(path).encode()) for path in sorted(folder.iterdir()))


def _text(path: Path) -> str:
    _refuse_link(path)
    return files.read_text(path)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise InvalidInput(f"{path} is a symbolic link", hint="a profile holds its files itself: copy what the link names")
