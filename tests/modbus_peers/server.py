"""A foreign Modbus server for the tests: `tcp PORT` or `rtu DEVICE`.

Unit 5: holding register n holds 1000 + n, input register n holds 2000 + n; it tells who it is.
"""
import asyncio
import sys
import warnings

warnings.simplefilter("ignore")

from pymodbus import FramerType, ModbusDeviceIdentification
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

# The library counts registers from 1.
unit = ModbusDeviceContext(
    hr=ModbusSequentialDataBlock(1, [1000 + n for n in range(200)]),
    ir=ModbusSequentialDataBlock(1, [2000 + n for n in range(200)]),
)
context = ModbusServerContext(devices={5: unit}, single=False)
identity = ModbusDeviceIdentification(
    info_name={
        "VendorName": "Foreign Works",
        "ProductCode": "FW-7",
        "MajorMinorRevision": "1.2.3",
        "ModelName": "Meter of others",
    }
)
kind, where = sys.argv[1:]
if kind == "tcp":
    serving = StartAsyncTcpServer(context, identity=identity, address=("127.0.0.1", int(where)))
else:
    # Without parity: a pseudo-terminal has none, and pyserial insists on what it set.
    serving = StartAsyncSerialServer(
        context, identity=identity, framer=FramerType.RTU, port=where, baudrate=9600
    )
asyncio.run(serving)
