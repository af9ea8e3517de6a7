"""The memory that can be had is the least that machine and container leave."""

from cosembed.processes import memory


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    of_machine = memory.available_memory()
    assert of_machine > 10**6
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 50\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_memory() > 10**6
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory.available_memory() == 750
    (tmp_path / "memory.max").write_text("100\n")
    assert memory.available_memory() == 0


def test_nothing_is_made_up_where_the_system_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    monkeypatch.setattr(memory, "_of_machine", lambda: None)
    assert memory.available_memory() is None
