"""`streamguard rules`: the rule files and what a ksqlDB server has of them."""

from cyclopts import App

from core.cli import HERE, Json, Where, with_ksqldb
from ksqldb.rulebook import commands

rules = App(name="rules", help="Detection rules: list, deploy, pause, resume, undeploy, test.", help_format="plaintext")


@rules.command(name="list")
def list_(*, json: Json = False, where: Where = HERE) -> int:
    """Every rule file with its state on the server."""
    return with_ksqldb(where, lambda url, _: commands.list_rules(url, as_json=json))


@rules.command
def deploy(*names: str, json: Json = False, where: Where = HERE) -> int:
    """Bring the rules named, or all, to the version of their files."""
    return with_ksqldb(where, lambda url, _: commands.deploy_rules(url, names, as_json=json))


@rules.command
def pause(*names: str, where: Where = HERE) -> int:
    """Hold the rules named; what comes meanwhile waits in the topic."""
    return with_ksqldb(where, lambda url, _: commands.pause_rules(url, names))


@rules.command
def resume(*names: str, where: Where = HERE) -> int:
    """Let the rules named go on."""
    return with_ksqldb(where, lambda url, _: commands.resume_rules(url, names))


@rules.command
def undeploy(*names: str, where: Where = HERE) -> int:
    """Take the rules named off the server, with everything they made."""
    return with_ksqldb(where, lambda url, _: commands.undeploy_rules(url, names))


@rules.command
def test(*names: str) -> int:
    """Run the cases beside the rules' files, on an engine in this process: no server, no Kafka."""
    return commands.check_rules(names)
