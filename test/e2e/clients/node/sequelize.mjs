// Sequelize begins each of its connections with SET client_min_messages and SET TIME ZONE INTERVAL.
import assert from 'node:assert/strict';
import sequelizePackage from 'sequelize';
import {
  address,
  administer,
  inRounds,
  inTurn,
  numbers,
  play,
  printVersion,
  together,
} from './common.mjs';

const { DataTypes, Op, QueryTypes, Sequelize, Transaction } = sequelizePackage;
const APPLICATIONS = 6;

/** Applications with a pool of their own each, of more connections together than there are. */
async function withApplications(options, work) {
  const { host, port, user, password, database, ssl } = address;
  const applications = numbers(APPLICATIONS).map((n) => {
    const { dialectOptions, ...more } = options(n);
    return new Sequelize(database, user, password, {
      ...{ host, port, dialect: 'postgres', logging: false, pool: { max: 3 } },
      ...more,
      dialectOptions: { ...(ssl && { ssl }), ...dialectOptions },
    });
  });
  try {
    await work(applications);
  } finally {
    await together(applications, (application) => application.close());
  }
}

function models(sequelize, schema) {
  const User = sequelize.define(
    'User',
    {
      email: { type: DataTypes.STRING, allowNull: false, unique: true },
      credit: { type: DataTypes.INTEGER, defaultValue: 0 },
      tags: DataTypes.ARRAY(DataTypes.STRING),
      profile: DataTypes.JSONB,
      role: { type: DataTypes.ENUM('admin', 'member'), defaultValue: 'member' },
    },
    { schema },
  );
  const Order = sequelize.define('Order', { total: DataTypes.DECIMAL(10, 2) }, { schema });
  User.hasMany(Order);
  Order.belongsTo(User);
  return { User, Order };
}

const schemas = numbers(APPLICATIONS).map((n) => `tenant_${n}`);
const dropSchemas = schemas.map((name) => `DROP SCHEMA IF EXISTS ${name} CASCADE`).join('; ');

await play({
  async version() {
    await withApplications(
      () => ({}),
      ([first]) => first.authenticate(),
    );
    printVersion('sequelize');
  },

  async settings_on_connect() {
    const offset = (n) => `${n % 2 === 0 ? '+' : '-'}0${n}:30`;
    const options = (n) => ({
      timezone: n === 5 ? 'Asia/Tokyo' : offset(n),
      dialectOptions: {
        clientMinMessages: n % 2 === 0 ? 'error' : 'notice',
        application_name: `shop ${n % 3}`,
        statement_timeout: 30_001,
      },
    });
    await withApplications(options, async (applications) => {
      await inRounds(4, applications, (sequelize, n) =>
        together(numbers(3), async () => {
          const [row] = await sequelize.query(
            `SELECT current_setting('client_min_messages') AS level, current_setting('timezone') AS zone,
               to_char(timestamptz '2020-01-01T12:00Z', 'HH24:MI') AS noon,
               current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout`,
            { type: QueryTypes.SELECT },
          );
          const { zone, ...rest } = row;
          const hours = 12.5 * 60 + (n % 2 === 0 ? n * 60 : -(n * 60) - 60);
          const noon = n === 5 ? '21:00' : `${String(Math.floor(hours / 60)).padStart(2, '0')}:30`;
          assert.deepEqual(rest, {
            level: n % 2 === 0 ? 'error' : 'notice',
            noon,
            name: `shop ${n % 3}`,
            timeout: '30001ms',
          });
          assert.match(zone, n === 5 ? /^Asia\/Tokyo$/ : /^<.0\d:30>[+-]0\d:30$/);
        }),
      );
    });
  },

  /** Schema synchronization, hooks, associations, bulk changes, bound parameters. */
  async models() {
    await administer(
      `${dropSchemas}; ${schemas.map((name) => `CREATE SCHEMA ${name}`).join('; ')}`,
    );
    await withApplications(
      () => ({}),
      async (applications) => {
        await together(applications, async (sequelize, n) => {
          const { User, Order } = models(sequelize, schemas[n]);
          User.addHook('beforeCreate', (user) => {
            user.email = user.email.toLowerCase();
          });
          await sequelize.sync({ force: true });
          const bodies = numbers(20).map((at) => ({
            email: `User${at}@${n}.Example`,
            profile: { at },
          }));
          const users = await together(bodies, (body) =>
            User.create({ ...body, tags: ['a', 'b,c'] }),
          );
          await Order.bulkCreate(users.map(({ id }) => ({ total: 1.5, UserId: id })));
          const duplicate = User.create({ email: `user1@${n}.example` });
          await assert.rejects(duplicate, { name: 'SequelizeUniqueConstraintError' });
          const found = await User.findOne({
            where: { email: `user7@${n}.example` },
            include: Order,
          });
          assert.deepEqual([found.tags, found.Orders.length], [['a', 'b,c'], 1]);
          const where = { profile: { at: { [Op.lt]: 5 } } };
          assert.equal((await User.update({ role: 'admin' }, { where }))[0], 5);
          const page = await User.findAndCountAll({
            where: { role: 'admin' },
            limit: 2,
            order: ['id'],
          });
          assert.deepEqual([page.count, page.rows.length], [5, 2]);
          const [bound] = await sequelize.query('SELECT $1::int + 1 AS sum', {
            bind: [n],
            type: QueryTypes.SELECT,
          });
          assert.deepEqual(bound, { sum: n + 1 });
          assert.equal(await User.destroy({ where: { role: 'member' } }), 15);
          assert.equal(await User.count(), 5);
        });
      },
    );
    await administer(dropSchemas);
  },

  async transactions() {
    await administer(
      `${dropSchemas}; ${schemas.map((name) => `CREATE SCHEMA ${name}`).join('; ')}`,
    );
    const levels = Object.values(Transaction.ISOLATION_LEVELS);
    await withApplications(
      () => ({}),
      async (applications) => {
        await together(applications, async (sequelize, n) => {
          const { User } = models(sequelize, schemas[n]);
          await User.sync();
          const { id } = await User.create({ email: 'one@example.com' });
          const spend = async (isolationLevel) => {
            for (;;) {
              try {
                return await sequelize.transaction({ isolationLevel }, async (transaction) => {
                  const [{ level }] = await sequelize.query(
                    "SELECT current_setting('transaction_isolation') AS level",
                    { transaction, type: QueryTypes.SELECT },
                  );
                  assert.equal(level.toUpperCase(), isolationLevel ?? 'READ COMMITTED');
                  const user = await User.findByPk(id, { transaction, lock: true });
                  await user.update({ credit: user.credit + 1 }, { transaction });
                });
              } catch (error) {
                if (error.parent?.code !== '40001') throw error;
              }
            }
          };
          await together([...levels, undefined, undefined], spend);
          assert.equal((await User.findByPk(id)).credit, levels.length + 2);
          const refused = sequelize.transaction(async (transaction) => {
            await User.create({ email: 'two@example.com' }, { transaction });
            throw new Error('refused by the handler');
          });
          await assert.rejects(refused, { message: 'refused by the handler' });
          const counted = await sequelize.transaction(async (transaction) => {
            const nested = sequelize.transaction({ transaction }, async (inner) => {
              await User.create({ email: 'three@example.com' }, { transaction: inner });
              throw new Error('inner');
            });
            await assert.rejects(nested, { message: 'inner' });
            return await User.count({ transaction });
          });
          assert.equal(counted, 1);
        });
      },
    );
    await administer(dropSchemas);
  },

  /** With `prependSearchPath` each statement comes as `SET search_path to …;SELECT …`. */
  async search_path() {
    await administer(
      `${dropSchemas}; ${schemas
        .map(
          (name, n) =>
            `CREATE SCHEMA ${name}; CREATE TABLE ${name}.item AS SELECT 'of ${n}' AS name`,
        )
        .join('; ')}`,
    );
    await withApplications(
      () => ({ dialectOptions: { prependSearchPath: true } }),
      async (applications) => {
        await inRounds(4, applications, (sequelize, n, round) =>
          inTurn(numbers(2), async (at) => {
            const tenant = (n + round + at) % APPLICATIONS;
            const rows = await sequelize.query(
              'SELECT name, current_schema() AS schema FROM item',
              {
                searchPath: schemas[tenant],
                supportsSearchPath: true,
                type: QueryTypes.SELECT,
              },
            );
            assert.deepEqual(rows, [{ name: `of ${tenant}`, schema: schemas[tenant] }]);
          }),
        );
      },
    );
    await administer(dropSchemas);
  },
});
