"""Commands of members: who they are for the IPS, their certificates, and the accounts of operators and provisioning servers."""

from typing import Any

from hps.commands import kinds
from hps.commands.model import Command, Parameter
from hps.flows import accounts, certificates
from hps.flows.model import IPS, MEMBERS, NODE, OPERATOR

_NAME = Parameter("name", kinds.NAME, "name of the account", positional=True)
_REQUEST = Parameter("csr", kinds.text(limit=16384), "certificate request, PKCS#10 in PEM form, of an EC key on P-256")


def _accounts(answer: Any) -> str:
    return "".join(f"{each['NAME']:24} {each['ROLE']:9} until {each['EXPIRES']}\n" for each in answer["accounts"])


COMMANDS: tuple[Command, ...] = (
    Command(
        "authenticate",
        "for whom the IPS takes the caller",
        (),
        MEMBERS,
        accounts.authenticate,
        "the kind of caller, its name or MAC address, and the cluster",
        changes=False,
        verb=("authenticate",),
        function="n_authenticate",
    ),
    Command(
        "renew_certificate",
        "a new certificate for the owner of the one that is shown; the old one counts until the new one is used",
        (_REQUEST,),
        (NODE, OPERATOR, IPS),
        certificates.renew_certificate,
        "the certificate in PEM form",
    ),
    Command(
        "certificate_revoke",
        "withdraw the certificate of a host at once",
        (Parameter("host", kinds.HOST, "name or MAC address of a host", positional=True),),
        (OPERATOR,),
        certificates.certificate_revoke,
        "the host, and whether it had a certificate",
        verb=("host", "revoke"),
    ),
    Command(
        "account_list",
        "the accounts of operators and other provisioning servers",
        (),
        (OPERATOR,),
        accounts.account_list,
        "the accounts with role, end and digest of the certificate",
        changes=False,
        verb=("account", "list"),
        show=_accounts,
    ),
    Command(
        "account_create",
        "make an account, and a certificate for a key that stays with its owner",
        (
            _NAME,
            Parameter("role", kinds.word(*accounts.ROLES), "operator, or ips for another provisioning server", positional=True),
            _REQUEST,
        ),
        (OPERATOR,),
        accounts.account_create,
        "the certificate and the authority's in PEM form, and when it ends",
        verb=("account", "create"),
    ),
    Command(
        "account_remove",
        "remove an account; whoever shows its certificate is a stranger at once",
        (_NAME,),
        (OPERATOR,),
        accounts.account_remove,
        "the name",
        verb=("account", "remove"),
    ),
)
