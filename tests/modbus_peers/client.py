"""A foreign Modbus master for the tests: `client.py PORT UNIT`. Prints what a unit says of itself, as JSON."""
import json
import sys
import warnings

warnings.simplefilter("ignore")

from pymodbus.client import ModbusTcpClient

port, unit = map(int, sys.argv[1:])
client = ModbusTcpClient("127.0.0.1", port=port, timeout=10)
assert client.connect()


def objects(code, first=0):
    answer = client.read_device_information(read_code=code, object_id=first, device_id=unit)
    if answer.isError():
        return {"exception": answer.exception_code}
    texts = {str(number): text.decode() for number, text in answer.information.items()}
    return {"conformity": answer.conformity, "more": answer.more_follows, "next": answer.next_object_id, "objects": texts}


report = client.report_device_id(device_id=unit)
print(
    json.dumps(
        {
            "basic": objects(1),
            "regular": objects(2),
            "single": objects(4, 2),
            "absent": objects(4, 9),
            "report": report.identifier.decode("latin1"),
            "nobody": client.read_holding_registers(0, count=1, device_id=99).exception_code,
        }
    )
)
