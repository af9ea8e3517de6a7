"""Lists the networks that come with the package, shows and checks them, makes such a folder of a run.

    cosembed networks
    cosembed networks show DIC-C2DH-HeLa
    cosembed networks verify
    cosembed networks export runs/demo/test_02 --output=my_network --truth=data/simulated/01_GT

What is listed can be given to cosembed track --network by its name, an exported folder by its path. `show`
prints a network's card; `verify` checks hashes and stored outputs, of all networks if none is named. Complete
the card.yaml of an exported folder by hand: terms, scores with their commands, known failures.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError

# The action and what it is done to.
MOST_WORDS = 2


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "output", "", "export: folder to write; it must not exist yet.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "name", "", "export: the network's name; the output folder's if not given.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "truth",
        "",
        "export: folder of truth (01_GT) of a training video, to measure its cells for the card.",
        flag_values=flag_values,
    )
    # Flags may follow the words.
    flag_values.set_gnu_getopt()


def main(flag_values: flags.FlagValues, action: str = "list", subject: str = "") -> None:
    """Does what the first word says.

    Raises:
        InputError: An unknown action or network, a folder that is damaged, or an output that exists.
    """
    if action == "list" and not subject:
        _list()
    elif action == "show" and subject:
        _show(subject)
    elif action == "verify":
        _verify(subject)
    elif action == "export" and subject:
        _export(flag_values, subject)
    else:
        raise InputError(
            f"networks {action} {subject}".rstrip()
            + ": is unknown; write list, show NAME, verify [NAME] or export RUN --output=FOLDER"
        )


def _list() -> None:
    from cosembed.networks.card import read_card
    from cosembed.networks.catalogue import network_folder, network_names

    names = network_names()
    for name in names:
        folder = network_folder(name)
        assert folder
        print(f"{name:{max(map(len, names))}}  {read_card(folder).summary}")


def _show(name: str) -> None:
    from cosembed.networks.card import CARD_FILE, read_card

    folder = _folder(name)
    # A card that cannot be understood is not shown either.
    read_card(folder)
    print((folder / CARD_FILE).read_text(encoding="utf-8"), end="")


def _verify(name: str) -> None:
    from cosembed.networks.catalogue import network_names

    folders = [_folder(chosen) for chosen in ([name] if name else network_names())]
    from cosembed.requirements import check_tensorflow

    check_tensorflow()
    from cosembed.networks.stored_network import verify_stored

    for folder in folders:
        card, difference = verify_stored(folder)
        print(f"{card.name}: hashes fit, outputs differ by {difference:.1e} at most", flush=True)


def _export(flag_values: flags.FlagValues, run: str) -> None:
    from cosembed.files.writing import refuse_existing
    from cosembed.requirements import check_tensorflow

    command_line.require(flag_values, "output")
    output = Path(flag_values.output)
    refuse_existing(output)
    truth = Path(flag_values.truth) if flag_values.truth else None
    check_tensorflow()
    from cosembed.networks.export import export_run, measure_cells

    area = measure_cells(truth) if truth else None
    card = export_run(Path(run), output, flag_values.name or output.resolve().name, area)
    print(
        f"{output}: network {card.name}, {card.trained.steps} steps; complete {output / 'card.yaml'} by hand"
    )


def _folder(name: str) -> Path:
    """Finds a network by its name, or by the path of its folder."""
    from cosembed.networks.catalogue import advice, is_network_folder, network_folder

    folder = network_folder(name)
    if folder:
        return folder
    if is_network_folder(Path(name)):
        return Path(name)
    raise InputError(f"'{name}' is neither the name of a network nor a folder with a card; {advice(name)}")
